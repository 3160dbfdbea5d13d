"""Reading CIFAR-10 and CIFAR-100 as published, python and binary, without ever running a pickle."""
