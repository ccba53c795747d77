"""What all pages share: keys, settings, requests, the event stream."""
