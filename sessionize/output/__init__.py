"""What a run leaves: files in their formats, the manifest, and the one moment in which they become visible."""
