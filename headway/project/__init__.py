"""The project file, read and checked."""
