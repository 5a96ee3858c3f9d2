"""界桩、公告牌: stakes and boards along the lines."""
