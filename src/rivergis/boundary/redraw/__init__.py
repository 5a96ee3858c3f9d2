"""What a redraw takes in and lets go, and everything it touches."""
