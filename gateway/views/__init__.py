"""Read-only queries for pages, the API and exports. They never write; the caller logs who looked (kind `read`)."""
