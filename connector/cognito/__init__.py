"""Reading a user pool with the least rights that do the job: session, pace, pages and the pool itself."""
