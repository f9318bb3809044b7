"""The verb `report`: one self-contained HTML page."""


def add_to(app):
    pass
