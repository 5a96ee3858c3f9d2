"""The service: pages and maps over the views, behind sign-in. Nothing here writes facts; acting is for workflows."""
