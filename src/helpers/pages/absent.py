"""What a screen lacks, in words."""


def lacking(lacks: list[str]) -> str:
    """Say what a screen lacks, and nothing where it lacks nothing."""
    if not lacks:
        return "This screen has all that the analyses below ask for."
    return "**What this screen lacks.** " + " ".join(lacks) + " The parts that need it say so."


NO_EMBEDDINGS = "This screen has a design but no embeddings, so nothing can be said here."
