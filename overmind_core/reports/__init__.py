"""Reports: what missions find beside their task."""
