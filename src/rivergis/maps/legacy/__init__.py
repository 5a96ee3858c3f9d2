"""What old clients load: map files, styles, tile sets of WMTS."""
