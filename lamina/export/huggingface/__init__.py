"""Models as the Hugging Face hub keeps them."""
