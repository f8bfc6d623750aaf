"""The demo workshop: loaded on demand by `workshop.load(env)`, never at install."""
