"""Charts as inline SVG: no library, no request, coloured by the page's own style."""
