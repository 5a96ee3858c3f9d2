"""巡河 patrols: which metres of which bank a track has seen."""
