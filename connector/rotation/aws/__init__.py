"""How a rotation reaches AWS, and what AWS says when it refuses."""
