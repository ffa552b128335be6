"""What the server does by itself: jobs when they are due, each by one worker at a time."""
