"""PostgreSQL with PostGIS: the private cluster, connections, upgrade, versions, backup."""
