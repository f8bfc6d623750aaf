"""The jobs that ``crashes.py`` kills, one a file."""
