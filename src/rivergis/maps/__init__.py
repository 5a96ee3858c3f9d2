"""Maps (doors out): frames in, one page out that asks nothing of any other machine."""
