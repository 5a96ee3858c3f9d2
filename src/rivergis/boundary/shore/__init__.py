"""岸线功能区: function zones, the two lines of the shore and their use."""
