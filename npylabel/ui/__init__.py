"""Pictures and pages that a person looks at. Nothing here decides anything."""
