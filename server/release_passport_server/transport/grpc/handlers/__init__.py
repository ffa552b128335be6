"""What answers each RPC of each service; both edges call the same coroutines."""
