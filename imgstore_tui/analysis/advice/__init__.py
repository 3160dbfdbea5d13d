"""Advises which method to take, by what the images are used for, and what that will cost and save."""
