"""Doors in: survey files, tracks and scenes are read here, with every defect said and no datum guessed."""
