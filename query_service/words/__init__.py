"""Reading a question and a text: words and their rarity, sentences, language, plain text. No dependency on the rest."""
