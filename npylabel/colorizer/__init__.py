"""Color for black-and-white photos: networks that name and color, and the folder of old photos."""
