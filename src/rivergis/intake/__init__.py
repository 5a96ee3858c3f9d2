"""Doors in: survey files, tracks and scenes are read here, with every defect said and no datum guessed.

The way of a file through the house, from the street to the database:

    formats sources archive staging guard limits     what kind of file is it, is it safe to open, how much may it ask
      foreign                                        what cannot be read here: its version, and the export to ask for
    datasets (features layer_text shapefile text)    vector files        -> Delivered layers, in the file's own coordinates
    tables (grids delimited sheets documents layout  point tables        -> the same
            columns rows positions angles turning)
    track_formats (track_xml track_text track_fit    tracks              -> the same, with a verdict on their times
            track_json track_table track_times ...)
    raster photo exif                                images and photos   -> the same
    shape_faults heights secrecy                     what is wrong with shapes, what heights count from, what may be secret
    crs_evidence                                     where does a layer lie? a verdict with reasons
      crs_declared crs_words crs_numbers crs_reference   what is said, what words say, what the numbers allow, what is known
      crs_case crs_claim crs_datum crs_shift crs_groups crs_outliers crs_verdict
    inspection                                       all of that for people: ``rivergis inspect``
    vector track                                     all of that for imports and patrols: one door
    profile fields values contract shapes batch admission    columns, types, geometries, what is set aside
"""
