"""The widgets: data comes down as reactives, messages go up."""
