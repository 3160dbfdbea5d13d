"""The codecs: one file each, none imports another."""
