"""The page *Live*: events stream in, lists follow, what is said is previewed, done and taken back; satisfaction."""
