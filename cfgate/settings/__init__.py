"""From flags, action inputs, environment and file to one frozen `Settings`, every value with its source."""
