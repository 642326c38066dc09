"""The tables as SQLAlchemy models, by what needs them: mapping one takes a Lambda 2 ms of its start."""
