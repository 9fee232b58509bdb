"""What tests share: fake models, films, crowds and layouts of public sets."""
