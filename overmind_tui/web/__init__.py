"""The page about the web server: the link to the dashboard."""
