"""What must hold against who would see, do or break more than may be: each test fails when its guard is taken away."""
