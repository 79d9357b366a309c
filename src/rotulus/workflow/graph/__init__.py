"""Draws workflows: as Mermaid text, and as SVG."""
