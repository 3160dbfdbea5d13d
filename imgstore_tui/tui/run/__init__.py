"""The run on the screen: the thread it runs in, and the state that is shown."""
