"""Layered drawings of directed acyclic graphs: a layout, an SVG, and Mermaid text.

Values go in and text comes out: nothing here reads a file, and nothing here knows Rotulus. Layers,
crossings, coordinates and routes are the four steps of Sugiyama's method.
"""

from rotulus_graph.graph import Graph, Node, Tone
from rotulus_graph.layout import Box, Layout, Point, Route, lay_out
from rotulus_graph.mermaid import to_mermaid
from rotulus_graph.rows import layers
from rotulus_graph.svg import to_svg

__all__ = [
    "Box",
    "Graph",
    "Layout",
    "Node",
    "Point",
    "Route",
    "Tone",
    "lay_out",
    "layers",
    "to_mermaid",
    "to_svg",
]
