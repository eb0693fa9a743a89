"""Imports from spreadsheets: streaming, committed batch by batch, resumable."""
