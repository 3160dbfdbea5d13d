"""What several backends make their stores of: files written front to back, arrays in .npy files, a manifest beside."""
