"""Important data: the data inventory, databases and folders, who may read them."""
