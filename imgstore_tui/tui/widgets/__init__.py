"""One widget a file: data comes down as reactives, messages go up."""
