"""From a folder of any photos to 512x512 color and grayscale pairs."""
