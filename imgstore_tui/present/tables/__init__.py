"""Tables as data, their views, and how Rich prints them."""
