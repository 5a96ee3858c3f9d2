"""A district in a pocket: one page, or a folder for QGIS and QField."""
