"""How should I store my images? Measured with your own images, on your own machine."""

__version__ = "0.1.0"
