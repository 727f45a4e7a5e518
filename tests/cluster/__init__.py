"""What goes beyond one machine: a real PostgreSQL, in a folder of its own."""
