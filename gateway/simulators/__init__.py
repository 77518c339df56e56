"""Far sides to try the gateway against: real processes on real sockets that say loudly that they are simulators."""
