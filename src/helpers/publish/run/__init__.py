"""Runs: notebooks executed with parameters, and their results put in place whole or not at all."""
