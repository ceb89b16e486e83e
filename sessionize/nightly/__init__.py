"""One batch of a log after the other: what is open goes over to the next night, exact across midnight."""
