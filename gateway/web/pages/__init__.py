"""Pages for people, in Vietnamese: server-rendered, no script, one module an address."""
