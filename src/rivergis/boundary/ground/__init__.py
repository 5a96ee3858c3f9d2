"""What boundaries enclose, prepared so that millions of objects can be asked against it."""
