"""What a stack would do under a load that was not measured."""
